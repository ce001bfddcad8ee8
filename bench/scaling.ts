/**
 * What a second worker brings. On a machine of few cores the load would take
 * the core that the second worker needs; so each worker gets the same small
 * share of a core (a control group with a quota), and what counts is how many
 * messages a second go through one and through two.
 *
 *   npm run bench:scaling -- [--messages 6000] [--share 25]
 *
 * Needs root, control groups (v1 or v2) and Debian's postfix.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workersOf, startGateway } from '../test/support/gateway.ts'
import { freePort } from '../test/support/ports.ts'
import { run, start, untilGreets } from '../test/support/process.ts'
import { benchOptions } from './options.ts'

const values = benchOptions({
  messages: { type: 'string', default: '6000' },
  /** of one core, percent */
  share: { type: 'string', default: '25' },
})
const PERIOD_US = 20_000

class Quota {
  readonly #directory: string

  constructor(name: string) {
    const v1 = '/sys/fs/cgroup/cpu'
    const quota = (Number(values.share) / 100) * PERIOD_US
    this.#directory = join(existsSync(v1) ? v1 : '/sys/fs/cgroup', name)
    if (!existsSync(v1)) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+cpu')
    mkdirSync(this.#directory, { recursive: true })
    if (existsSync(v1)) {
      writeFileSync(join(this.#directory, 'cpu.cfs_period_us'), String(PERIOD_US))
      writeFileSync(join(this.#directory, 'cpu.cfs_quota_us'), String(quota))
    } else writeFileSync(join(this.#directory, 'cpu.max'), `${quota} ${PERIOD_US}`)
  }

  take(pid: number): void {
    writeFileSync(join(this.#directory, 'cgroup.procs'), String(pid))
  }

  /** Once nobody is in it. */
  remove(): void {
    rmdirSync(this.#directory)
  }
}

async function perSecond(workers: number, sinkPort: number): Promise<number> {
  const gateway = await startGateway({
    workers, log: { level: 'info', format: 'json' }, listeners: [{ next: 'hop' }], hops: { hop: { smtp: `127.0.0.1:${sinkPort}` } },
  })
  const address = gateway.address()
  if (!('port' in address)) throw new Error('the gateway listens on TCP')
  const quotas = workersOf(gateway.pid).map((pid, i) => {
    const quota = new Quota(`bench-worker-${i}`)
    quota.take(pid)
    return quota
  })
  const load = async (messages: number): Promise<void> => {
    const outcome = await run(
      ['smtp-source', '-4', '-s', '40', '-m', String(messages), '-l', '4096', '-f', 'alice@example.com', '-t', 'bob@hop.example', `127.0.0.1:${address.port}`],
      { timeoutMs: 300_000 },
    )
    if (outcome.code !== 0) throw new Error(`smtp-source failed: ${outcome.output}`)
  }
  const messages = Number(values.messages)
  await load(messages / 2)
  const began = performance.now()
  await load(messages)
  const seconds = (performance.now() - began) / 1000
  await gateway.stop()
  for (const quota of quotas) quota.remove()
  return messages / seconds
}

const sinkPort = await freePort()
const sink = start(['smtp-sink', '-4', '-u', 'nobody', '-m', '500', `127.0.0.1:${sinkPort}`, '500'])
await untilGreets('smtp-sink', sink, { port: sinkPort })
const [one, two] = [await perSecond(1, sinkPort), await perSecond(2, sinkPort)]
console.log(`each worker with ${values.share} % of a core, one message a connection: one ${one.toFixed(0)} messages/s, two ${two.toFixed(0)} messages/s: × ${(two / one).toFixed(2)}`)
await sink.stop()
