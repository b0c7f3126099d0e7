// Made by `npm run contracts`. Do not edit.
/** Where the keys in these contracts come from: `development` while one of them is of a set-up under which anybody can forge. */
export const keySetUp: 'development' | 'ceremony' = 'development'
