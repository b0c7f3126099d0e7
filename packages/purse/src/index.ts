/** Keys: words, keystore, and the signer process. */
export {}
