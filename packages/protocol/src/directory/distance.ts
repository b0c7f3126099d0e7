/**
 * How near two countries are, and what light makes of that (docs/PLACE.md): who answers sooner than light comes and goes is not where it says. Coarse on the safe side: a country is the
 * circles that hold all of it, and light is that of the void, which no cable reaches. Pure.
 * @module
 */
import { COUNTRY_CIRCLES } from './country-circles.ts'

const EARTH_KM = 6371
/** Half of what light goes in a millisecond: there and back. */
export const KM_PER_RTT_MS = 149.896

type Circle = { readonly latitude: number; readonly longitude: number; readonly radiusKm: number }

/** The least kilometres that can lie between a place in one country and a place in the other, 0 where they touch; undefined for one that is on no map here. @param a - ISO 3166 letters */
export function leastKmBetween(a: string, b: string): number | undefined {
  const [circlesA, circlesB] = [circlesOf(a), circlesOf(b)]
  if (!circlesA || !circlesB) return undefined
  if (a === b) return 0
  const distances = circlesA.flatMap((one) => circlesB.map((other) => kmBetween(one, other)))
  return Math.max(0, Math.min(...distances))
}

function kmBetween(a: Circle, b: Circle): number {
  const [phiA, phiB] = [a.latitude * RADIAN, b.latitude * RADIAN]
  const [sinPhi, sinLambda] = [
    Math.sin((phiB - phiA) / 2),
    Math.sin(((b.longitude - a.longitude) * RADIAN) / 2),
  ]
  const haversine = sinPhi ** 2 + Math.cos(phiA) * Math.cos(phiB) * sinLambda ** 2
  const centresKm = 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(haversine)))
  return centresKm - a.radiusKm - b.radiusKm
}

const RADIAN = Math.PI / 180

let table: ReadonlyMap<string, readonly Circle[]> | undefined

function circlesOf(country: string): readonly Circle[] | undefined {
  table ??= new Map(
    COUNTRY_CIRCLES.trim()
      .split('\n')
      .map((line) => {
        const [code = '', ...circles] = line.split(' ')
        return [code, circles.map(readCircle)] as const
      }),
  )
  return table.get(country)
}

function readCircle(text: string): Circle {
  const [latitude = 0, longitude = 0, radiusKm = 0] = text.split(',').map(Number)
  return { latitude, longitude, radiusKm }
}
