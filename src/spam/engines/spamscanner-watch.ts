/**
 * A thread beside spamscanner in its process: ends the process when the gateway
 * is gone. The main thread would see that its input has ended, but not while it
 * is lost in a message.
 */
import { workerData } from 'node:worker_threads'

/** its process id */
const gateway = Number(workerData)

setInterval(() => {
  if (process.ppid !== gateway) process.kill(process.pid, 'SIGKILL')
}, 1000)
