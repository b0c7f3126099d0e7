/**
 * Makes `packages/protocol/src/directory/country-circles.ts`: for each country a few circles that hold all of it, from Natural Earth's borders (public domain) as world-atlas 2.0.2 has
 * them, and ISO 3166 codes as i18n-iso-countries 7.14.0 has them. Neither is installed with this repository; unpack both, and run
 *
 *     node tools/make-country-circles.ts world-atlas/countries-50m.json i18n-iso-countries/codes.json
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const EARTH_KM = 6371
/** Circles that a country gets at most: one that lies on several continents is no one circle. */
const MAX_CIRCLES = 8
/** What borders at this scale, and islands too small for it, may be off. */
const MARGIN_KM = 60
/** Lands that others than Natural Earth count to a country, or that it has no code for. */
const ALIASES: Readonly<Record<string, string>> = {
  Somaliland: 'SO',
  'N. Cyprus': 'CY',
  Kosovo: 'RS',
}

/** Parts of a country that have a code of their own in ISO 3166, as tables of addresses use them: where they are. */
const PARTS: Readonly<
  Record<string, readonly (readonly [code: string, latitude: number, longitude: number])[]>
> = {
  FR: [
    ['FR', 46, 2],
    ['GF', 4, -53],
    ['GP', 16, -61.5],
    ['MQ', 14.6, -61],
    ['RE', -21, 55.5],
    ['YT', -13, 45],
  ],
  NL: [
    ['NL', 52, 5],
    ['BQ', 15, -66],
  ],
  NO: [
    ['NO', 64, 14],
    ['NO', 70, 25],
    ['SJ', 78, 16],
    ['SJ', 71, -8.5],
  ],
}

type Vector = readonly [number, number, number]
type Circle = {
  readonly centre: Vector
  readonly points: readonly Vector[]
  readonly angle: number
}
type Geometry = {
  readonly type: 'Polygon' | 'MultiPolygon'
  readonly arcs: readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[]
  readonly id?: string
  readonly properties: { readonly name: string }
}
type Topology = {
  readonly transform: { readonly scale: readonly number[]; readonly translate: readonly number[] }
  readonly arcs: readonly (readonly (readonly [number, number])[])[]
  readonly objects: { readonly countries: { readonly geometries: readonly Geometry[] } }
}

const [bordersPath = '', codesPath = ''] = process.argv.slice(2)
const borders = JSON.parse(readFileSync(bordersPath, 'utf8')) as Topology
const rows = JSON.parse(readFileSync(codesPath, 'utf8')) as readonly (readonly string[])[]
const codes = new Map(rows.map(([alpha2 = '', , numeric = '']) => [numeric, alpha2]))

/** Points of an arc, undone of their differences. */
const arcs = borders.arcs.map((arc): readonly Vector[] => {
  const { scale, translate } = borders.transform
  let [x, y] = [0, 0]
  return arc.map(([dx, dy]) => {
    x += dx
    y += dy
    return vectorOf(
      y * (scale[1] ?? 1) + (translate[1] ?? 0),
      x * (scale[0] ?? 1) + (translate[0] ?? 0),
    )
  })
})

const pieces = new Map<string, (readonly Vector[])[]>()
for (const geometry of borders.objects.countries.geometries) {
  const { id = '', properties } = geometry
  const code = ALIASES[properties.name] ?? codes.get(id)
  if (code === undefined) continue
  const polygons = (
    geometry.type === 'Polygon' ? [geometry.arcs] : geometry.arcs
  ) as readonly (readonly (readonly number[])[])[]
  const outer = polygons.map(([ring = []]) =>
    ring.flatMap((arc) => arcs[arc < 0 ? ~arc : arc] ?? []),
  )
  for (const points of outer) {
    const name = partOf(code, points)
    pieces.set(name, [...(pieces.get(name) ?? []), points])
  }
}

const lines = [...pieces]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([code, polygons]) => `${code} ${circlesOf(polygons).map(circleText).join(' ')}`)
const target = fileURLToPath(
  new URL('../packages/protocol/src/directory/country-circles.ts', import.meta.url),
)
writeFileSync(
  target,
  `/**
 * Circles that hold all of a country's land: latitude, longitude (degrees) and radius (km) of each. Made by \`tools/make-country-circles.ts\` from Natural Earth's borders (public domain);
 * larger than the country, never smaller.
 * @module
 */
export const COUNTRY_CIRCLES = \`
${lines.join('\n')}
\`
`,
)
console.log(`${lines.length} countries`)

function partOf(code: string, points: readonly Vector[]): string {
  const [first] = points
  const parts = PARTS[code]
  if (!first || !parts) return code
  const near = parts.map(([name, latitude, longitude]) => ({
    name,
    angle: angleOf(first, vectorOf(latitude, longitude)),
  }))
  return near.toSorted((a, b) => a.angle - b.angle)[0]?.name ?? code
}

function circlesOf(polygons: readonly (readonly Vector[])[]): readonly Circle[] {
  let circles = polygons.map(enclose)
  while (circles.length > MAX_CIRCLES) circles = joinClosest(circles)
  // One that is nearly inside another is of no use by itself.
  for (;;) {
    const [one, other] =
      circles.flatMap((a) => circles.flatMap((b) => (isNearlyInside(a, b) ? [[a, b]] : [])))[0] ??
      []
    if (!one || !other) return circles
    circles = [
      ...circles.filter((each) => each !== one && each !== other),
      enclose([...one.points, ...other.points]),
    ]
  }
}

function isNearlyInside(small: Circle, large: Circle): boolean {
  const reach = angleOf(small.centre, large.centre) + small.angle
  return (
    small !== large &&
    small.angle <= large.angle &&
    reach < large.angle * 1.1 + MARGIN_KM / EARTH_KM
  )
}

/** Joins the two whose common circle is the smallest. */
function joinClosest(circles: readonly Circle[]): Circle[] {
  let best: { readonly i: number; readonly j: number; readonly angle: number } | undefined
  for (const [i, one] of circles.entries()) {
    for (let j = i + 1; j < circles.length; j++) {
      const other = circles[j]
      if (!other) continue
      const angle = Math.max(
        one.angle,
        other.angle,
        (angleOf(one.centre, other.centre) + one.angle + other.angle) / 2,
      )
      if (!best || angle < best.angle) best = { i, j, angle }
    }
  }
  if (!best) return [...circles]
  const { i, j } = best
  const points = [...(circles[i]?.points ?? []), ...(circles[j]?.points ?? [])]
  return [...circles.filter((_, at) => at !== i && at !== j), enclose(points)]
}

/** A small circle around points (Bădoiu and Clarkson): the centre moves ever less towards the farthest. */
function enclose(points: readonly Vector[]): Circle {
  let centre = unit(
    points.reduce<Vector>((sum, p) => [sum[0] + p[0], sum[1] + p[1], sum[2] + p[2]], [0, 0, 0]),
  )
  for (let step = 1; step <= 300; step++) {
    const far = farthest(centre, points)
    const share = 1 / (step + 1)
    centre = unit([
      centre[0] + (far[0] - centre[0]) * share,
      centre[1] + (far[1] - centre[1]) * share,
      centre[2] + (far[2] - centre[2]) * share,
    ])
  }
  return { centre, points, angle: angleOf(centre, farthest(centre, points)) }
}

function farthest(centre: Vector, points: readonly Vector[]): Vector {
  let [far, least] = [centre, 2]
  for (const point of points) {
    const cosine = dot(centre, point)
    if (cosine < least) [far, least] = [point, cosine]
  }
  return far
}

function circleText({ centre, angle }: Circle): string {
  const latitude = (Math.asin(centre[2]) * 180) / Math.PI
  const longitude = (Math.atan2(centre[1], centre[0]) * 180) / Math.PI
  return `${latitude.toFixed(1)},${longitude.toFixed(1)},${Math.ceil(angle * EARTH_KM + MARGIN_KM)}`
}

function vectorOf(latitude: number, longitude: number): Vector {
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180]
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)]
}

function unit([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

function angleOf(a: Vector, b: Vector): number {
  return Math.acos(Math.min(1, Math.max(-1, dot(a, b))))
}
