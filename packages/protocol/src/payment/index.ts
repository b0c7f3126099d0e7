/** The machines of paying and being paid (SPEC §13, §15). */
export {}
