#!/usr/bin/env node
/** `dkimproxy.in`: verifies what passes, with the options and files of DKIMproxy. See daemon.ts. */
import { startProcess } from './process.ts'

await startProcess('dkimproxy.in')
