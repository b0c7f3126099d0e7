/** The machines of paying and being paid (SPEC §13, §15). */
export type {
  ChainHead,
  ContractCall,
  DepositLeaf,
  EventPlace,
  Hex,
  PublishedRoot,
  RawTransactionStore,
  Registration,
  SignedForm,
  SlotState,
  SlotWord,
  StoredTransaction,
  TransactionReceipt,
  TransactionSigner,
  UnsignedTransaction,
} from './chain-types.ts'
