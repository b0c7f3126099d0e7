/**
 * Codecs of the wire format, and nothing else: every byte offset of docs/SPEC.md lives in this folder.
 * @module
 */
export { addressBytesOf } from './address.ts'
export type { IpBytes, IpFamily, SocketAddressBytes } from './address.ts'
export {
  bodyBytesOfClass,
  bodyOf,
  CELL_HEADER_BYTES,
  cellBytesOf,
  cellBytesOfClass,
  COMMAND,
  commandOf,
  isAllowed,
  isAllowedKind,
  isDiallerCircuitId,
  LINK_CIRCUIT_ID,
  MAX_CELL_BYTES,
  readCircuitId,
  readKind,
  readReadBytes,
  SIZE_CLASS,
  sizeClassOf,
  stampHeader,
  stampKind,
} from './cell.ts'
export type { Command, SizeClass } from './cell.ts'
export {
  CREATE_BODY_BYTES,
  decodeCreate,
  decodeCreatePayload,
  encodeCreatePayload,
  LAST_HOP_PAYLOAD_BYTES,
  MAC1_BYTES,
  MESSAGE_1_OVERHEAD_BYTES,
  ONION_KEY_ID_BYTES,
  SUITE_OFFER,
  writeCreate,
} from './create.ts'
export type { Create, CreatePayload, Extend, Position } from './create.ts'
export {
  decodeCreated,
  decodeCreatedPayload,
  encodeCreatedPayload,
  MESSAGE_2_OVERHEAD_BYTES,
  SEEN_PLACE_BYTES,
  type SeenPlace,
  SUITE,
  writeCreated,
} from './created.ts'
export type { Created, CreatedPayload, CreateFailure, CreateOutcome, Suite } from './created.ts'
export {
  decodeDescriptor,
  encodeDescriptor,
  encodeUnsignedDescriptor,
  EXIT_FLAG,
  EXIT_PROFILE,
  MAX_ADDRESSES,
  MAX_ATTACHMENTS,
  MAX_DESCRIPTOR_BYTES,
  MAX_DESCRIPTOR_LIFE_S,
  MAX_SOFTWARE_BYTES,
  MIN_DESCRIPTOR_BYTES,
  ROLE,
  unsignedPartOf,
} from './descriptor.ts'
export type { Descriptor, ExitProfile, SignedDescriptor } from './descriptor.ts'
export { isHostEndpoint } from './endpoint.ts'
export type { Endpoint, HostEndpoint } from './endpoint.ts'
export type { WireError } from './errors.ts'
export {
  decodeExitEntry,
  decodeExitHead,
  decodeExitProof,
  encodeExitEntry,
  encodeExitProof,
  encodeUnsignedExitHead,
  EXIT_ENTRY_BYTES,
  EXIT_HEAD_BYTES,
  joinExitHeads,
  MAX_EXIT_PROOF_BYTES,
  splitExitHeads,
  unsignedHeadOf,
} from './exit-record.ts'
export type { ExitEntry, ExitHead, ExitPlace, ExitProof } from './exit-record.ts'
export { decodeData, decodeHopMessage } from './hop-message-decode.ts'
export {
  appendData,
  appendHopMessage,
  dataRoomBytes,
  encodeHopMessage,
  hopMessageBytes,
} from './hop-message-encode.ts'
export {
  ADDRESS_FLAG,
  DATA_HEADER_BYTES,
  HOP_MESSAGE,
  isSequenced,
  isSequencedType,
  TUNNEL_ID_BYTES,
} from './hop-messages.ts'
export type {
  AckMessage,
  BeginMessage,
  DatagramMessage,
  DataMessage,
  HopMessage,
  HopMessageType,
  HopPayCarrier,
  JoinedMessage,
  JoinMessage,
  ResolvedMessage,
  SequencedMessage,
  OpenMessage,
} from './hop-messages.ts'
export { MAX_HOST_BYTES } from './host.ts'
export { innerBytes, LAYER_OVERHEAD_BYTES, layerBytes, SCOPE, TAG_BYTES } from './layer.ts'
export type { Scope } from './layer.ts'
export {
  decodeLinkMessage,
  DIRECTORY_PART_HEADER_BYTES,
  encodeLinkMessage,
  LINK_MESSAGE,
  linkMessageBytes,
  SERVICE_PROOF_BYTES,
} from './link-messages.ts'
export type { LinkMessage, LinkMessageType } from './link-messages.ts'
export {
  CLIENT_GREETING_BYTES,
  decodeLinkProof,
  encodeClientGreeting,
  encodeLinkCert,
  encodeLinkProof,
  LINK_PROOF_BYTES,
  LINK_ROLE,
  LINK_SIDE,
  linkCertSignedPart,
  linkProofSignedPart,
  MAX_LINK_CERT_LIFE_S,
  readGreetingRole,
} from './link-proof.ts'
export type { LinkCert, LinkProof, LinkRole, LinkSide } from './link-proof.ts'
export {
  CHAIN_VERDICT,
  chainLogBytes,
  chainPageLength,
  decodeChainHeader,
  decodeChainLogs,
  decodeChainReceipt,
  encodeChainHeader,
  encodeChainLogs,
  encodeChainReceipt,
  LOG_SET_BYTES,
  MAX_CHAIN_ANSWER_BYTES,
  MAX_CHAIN_PART_BYTES,
} from './chain-answer.ts'
export type {
  ChainHeader,
  ChainLog,
  ChainLogPage,
  ChainReceipt,
  ChainVerdict,
} from './chain-answer.ts'
export {
  CHAIN_CONTRACT,
  CHAIN_QUESTION,
  MAX_CHAIN_CALL_BYTES,
  MAX_CHAIN_LOG_BLOCKS,
  MAX_CHAIN_TRANSACTION_BYTES,
} from './chain-question.ts'
export type {
  ChainContract,
  ChainLogsOfQuestion,
  ChainLogsQuestion,
  ChainQuestion,
  ChainQuestionKind,
} from './chain-question.ts'
export {
  MESSAGE_HEADER_BYTES,
  MessageListReader,
  MessageListWriter,
  messagesIn,
} from './message-list.ts'
export type { ListMessage } from './message-list.ts'
export {
  CHAIN_ADDRESS_BYTES,
  decodeOpening,
  encodeOpening,
  FIELD_BYTES,
  MAX_PROOF_BYTES,
  OPENING_HEADER_BYTES,
  openingBytes,
  TICKET_SIGNATURE_BYTES,
} from './opening.ts'
export type { Opening } from './opening.ts'
export { decodePayMessage } from './pay-message-decode.ts'
export { encodePayMessage, payMessageBytes } from './pay-message-encode.ts'
export {
  COMMIT_BYTES,
  isClientPay,
  MAX_COMMITS,
  MAX_REVEALS,
  MAX_TICKET_INDEX,
  MAX_TOKEN_BYTES,
  MAX_TOKEN_ELEMENT_BYTES,
  MAX_TOKEN_KEY_BYTES,
  MAX_TOKEN_KEYS,
  MAX_TOKENS_AT_ONCE,
  PAY,
  RECEIPT_KEY_BYTES,
  RECEIPT_SIGNATURE_BYTES,
  TICKET_NONCE_BYTES,
  TOKEN_KEY_ID_BYTES,
  TOKEN_KIND,
  TOKEN_NONCE_BYTES,
} from './pay-messages.ts'
export { MAX_AMOUNT } from './amount.ts'
export type {
  BuyMessage,
  ChainMessage,
  ClientPayMessage,
  CommitsMessage,
  DueMessage,
  HeldMessage,
  HopPayMessage,
  KeysMessage,
  PayKind,
  PayMessage,
  ReceiptMessage,
  RefusedMessage,
  Reveal,
  ShowMessage,
  ShownMessage,
  SlotFullMessage,
  SoldMessage,
  SpendMessage,
  TicketMessage,
  TokenKey,
  TokenKind,
  ToldMessage,
} from './pay-messages.ts'
export { MAX_PRICE_STEP, PRICE_STEPS } from './price-step.ts'
export {
  CLOSE_REASON,
  closeReasonName,
  parseCloseReason,
  parseResetReason,
  readDestroyBody,
  RESET_REASON,
  resetReasonName,
  writeDestroyBody,
} from './reasons.ts'
export type { CloseReason, CloseReasonName, ResetReason, ResetReasonName } from './reasons.ts'
export { WIRE_VERSION } from './text.ts'
export {
  areClassPrices,
  classesOf,
  isClassStep,
  NO_CLASSES,
  TRAFFIC_CLASSES,
  tunnelTerms,
} from './traffic-class.ts'
export type { ClassPrices, TrafficClass, TunnelTerms } from './traffic-class.ts'
export { parseRefusal, parseVerdict, VERDICT, verdictName } from './verdicts.ts'
export type { Refusal, Verdict, VerdictName } from './verdicts.ts'
export { RECORD_HEADER_BYTES, RECORD_PART } from './record-part.ts'
export type { RecordPart } from './record-part.ts'
export { REACH_RESULT } from './reach-result.ts'
export type { ReachResult } from './reach-result.ts'
export { REDEEM_ANSWER } from './redeem-answer.ts'
export type { RedeemAnswer } from './redeem-answer.ts'
export { PROOF_ORDER_KIND } from './proof-entries.ts'
export type { ProofEntries } from './proof-entries.ts'
export {
  decodeRedeemOrder,
  encodeRedeemOrder,
  isProofEntries,
  MAX_REDEEM_BYTES,
  MAX_REDEEM_ENTRIES,
  REDEEM_KIND,
  redeemBindBytes,
  redeemOrderBytes,
} from './redeem-order.ts'
export type { RedeemEntries, RedeemOrder, WinEntries } from './redeem-order.ts'
export { encodeBatches, encodeClaimSlots, encodeLockSlots } from './batch-bytes.ts'
export type { BatchTerms, SlotBatch, SlotWin } from './batch-bytes.ts'
export type { RevealedTicket } from './revealed-ticket.ts'
export { MAX_JOINED_LEAVES, RETURN_KIND, returnFeeTo, returnNullifier } from './return-request.ts'
export type {
  CloseRequest,
  JoinRequest,
  RefundRequest,
  ReturnDestination,
  ReturnKind,
  ReturnMessageBody,
  ReturnRequest,
  WithdrawRequest,
} from './return-request.ts'
