/** How a made-up network is paid: no chain stands behind the addresses. */
import type { PaymentParameters } from '@byway/protocol/directory'

export const TEST_PAYMENT: PaymentParameters = {
  chainId: 31_337,
  rpcUrls: ['http://127.0.0.1:1'],
  pool: new Uint8Array(20).fill(1),
  registry: new Uint8Array(20).fill(2),
  token: new Uint8Array(20).fill(3),
  authoriser: new Uint8Array(20).fill(4),
  deployBlock: 0,
  winValue: 4_096_000n,
  winsPerSlot: 2,
  bond: 2_048_000n,
  unit: 2_048_000n,
  tokenSymbol: 'TEST',
  tokenDecimals: 6,
  issueDelayS: 1,
  rootIntervalS: 60,
  rootMaxAgeS: 3600,
  lockS: 3600,
  refundDelayS: 3600,
  closeDelayS: 3600,
  confirmations: 1,
}
