/**
 * Money as whole mills (thousandths of a pound), because prices have up to three decimals and
 * binary fractions cannot hold them. Text becomes an integer digit by digit; more decimals than
 * three are refused, never rounded.
 */

const AMOUNT = /^(-?)(\d{1,12})(?:\.(\d{1,3}))?$/

/** `'-2.55'` → `-2550`; `undefined` when the text is no amount that mills can hold exactly. */
export function parseMills(text: string): number | undefined {
  const match = AMOUNT.exec(text)
  if (match === null) return undefined
  const [, sign, pounds, decimals = ''] = match
  const mills = Number(`${pounds}${decimals.padEnd(3, '0')}`)
  return sign === '-' && mills !== 0 ? -mills : mills
}

/** `-1234550` → `'-1,234.550'`; all three decimals always, so that columns line up. */
export function formatMills(mills: number): string {
  const digits = String(Math.abs(mills)).padStart(4, '0')
  const pounds = digits.slice(0, -3).replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return `${mills < 0 ? '-' : ''}${pounds}.${digits.slice(-3)}`
}
