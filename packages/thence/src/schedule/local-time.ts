/**
 * A moment as the clock of a time zone shows it.
 */

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (zone: string): Intl.DateTimeFormat => {
  let format = formats.get(zone)
  if (format === undefined) {
    const two = '2-digit'
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
      timeZoneName: 'longOffset',
    })
    formats.set(zone, format)
  }
  return format
}

/** ISO 8601 with the offset of the zone at that moment, to the second. */
export function localTime(time: number, zone: string): string {
  const parts = formatOf(zone).formatToParts(time)
  const of = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((part) => part.type === type)?.value ?? ''
  const offset = of('timeZoneName').replace('GMT', '')
  const date = `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}`
  return `${date}T${of('hour')}:${of('minute')}:${of('second')}${offset === '' ? '+00:00' : offset}`
}
