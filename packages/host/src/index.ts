/** What a node asks of the machine and the home it runs in. */
export { createRouterPortMap, type RouterPortMap } from './port-map/router-port-map.ts'
export { type PortMapAnswer, type PortMapProtocol } from './port-map/answer.ts'
