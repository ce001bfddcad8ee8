/**
 * A process that reads the rules and ends: whoever started it goes on with his
 * work meanwhile, and the memory that reading took goes with it. To the
 * `RulesTask` that it is sent it says a `RulesAnswer`. It ends when its parent
 * does, or lets go of it; signals that are meant for both are the parent's.
 */
import { answerTo, type RulesTask } from './rules-task.ts'

process.title = 'postern: reading rules'
// Before all that takes time: what is loaded for the work, too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.once('disconnect', () => process.exit(0))
process.once('message', (task) => {
  void answerTo(task as RulesTask).then((said) => process.send?.(said, () => process.exit(0)))
})
