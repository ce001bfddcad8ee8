/**
 * The operating-system side of supervisor and worker, on node:cluster.
 *
 * The supervisor opens each listening socket once and every worker accepts
 * from it directly (SCHED_NONE): no connection passes through a process that
 * only hands it on, and one that waits to be accepted when a worker dies is
 * taken by another. The kernel wakes who is idle, so that a busy worker gets
 * fewer: of 20 connections at once with 0.3 ms of work each, 8 to 12 went to
 * each of two workers. (`reusePort` divides no better, binds by chance to a
 * busy worker, loses the waiting connections of a worker that dies, and lets
 * two gateways share a port by mistake.)
 */
import cluster from 'node:cluster'
import process from 'node:process'
import { isFromWorker, isToWorker } from './messages.ts'
import type { WorkerProcess } from './slot.ts'
import type { WorkerParts } from './worker.ts'

/** What workers do most: it decides how large their young generation is. */
export type Work = 'relaying' | 'judging'

/**
 * The flags of this process, and one more: the young generation of a worker that
 * only relays stays at 8 MB. Where it grows, the buffers of messages are used
 * again less soon and fall out of the processor's caches, which costs messages of
 * 50 KB some tenth to a quarter more (bench/relay.ts). Where content is judged, 8 MB
 * are full before messages that go on together are done, and what is still in use
 * then is copied and kept: with 16 MB a message of 58 KB costs a fifth less
 * (bench/inbound.ts). Whoever sets it himself is left alone.
 */
export function workerFlags(own: readonly string[], nodeOptions: string, work: Work): string[] {
  const set = [...own, nodeOptions].some((flag) => /semi[-_]space/.test(flag))
  return set ? [...own] : [...own, `--max-semi-space-size=${work === 'judging' ? 16 : 8}`]
}

/** Makes the function that starts a worker: this same program with `argv`. */
export function clusterFork(argv: readonly string[], work: Work = 'relaying'): () => WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ args: [...argv], execArgv: workerFlags(process.execArgv, process.env['NODE_OPTIONS'] ?? '', work), serialization: 'advanced' })
  return () => {
    const worker = cluster.fork()
    return {
      pid: worker.process.pid,
      send(message) {
        // It fails where the worker is about to end; its exit is what counts.
        worker.send(message, () => undefined)
      },
      kill(signal) {
        worker.process.kill(signal)
      },
      onMessage(listener) {
        worker.on('message', (message: unknown) => {
          if (isFromWorker(message)) listener(message)
        })
      },
      onExit(listener) {
        let gone = false
        const once = (code: number | null, signal: string | null): void => {
          if (gone) return
          gone = true
          listener({ code, signal })
        }
        worker.process.once('exit', once)
        worker.on('error', () => {
          // Without a pid it never was (no memory, too many processes).
          if (worker.process.pid === undefined) once(null, null)
        })
      },
    }
  }
}

/** The channel of this process, where it is a worker. */
export function clusterChannel(): WorkerParts['channel'] {
  const { worker } = cluster
  if (worker === undefined) throw new Error('not a worker process')
  return {
    send(message) {
      // Without a supervisor there is nobody to tell, and `onDisconnect` is under way.
      if (worker.isConnected()) worker.send(message, () => undefined)
    },
    onMessage(listener) {
      process.on('message', (message: unknown) => {
        if (isToWorker(message)) listener(message)
      })
    },
    onDisconnect(listener) {
      worker.on('disconnect', () => {
        // Otherwise node:cluster ends the process here and now.
        worker.exitedAfterDisconnect = true
        listener()
      })
    },
  }
}

export function isWorkerProcess(): boolean {
  return cluster.isWorker
}
