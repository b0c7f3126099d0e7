/** What a node asks of the machine and the home it runs in. */
export { createRouterPortMap, type RouterPortMap } from './port-map/router-port-map.ts'
export { type PortMapAnswer, type PortMapProtocol } from './port-map/answer.ts'
export { openBuiltInPlaces } from './origin/built-in-book.ts'
export { openPlaceDatabase, type PlaceDatabase } from './origin/mmdb-book.ts'
export type { PlaceError } from './origin/place-errors.ts'
