/**
 * Block lists of what links hold: domains, host addresses, and hashes of
 * addresses, URLs and domains (RFC 5782 §3 for names; uri-hash.ts).
 *
 * Each list stands behind the interlock of all lists in the DNS (list-zone.ts,
 * dnsbl-health.ts): before it is proved, and while it is set aside, its outcome
 * is an `error` without a question asked. No failure is ever a listing. Of what
 * a message holds the most telling is asked for (uri-questions.ts), and an
 * outcome says how much was not.
 *
 * `listed` where any answer lists something, whatever became of the others
 * (`failed` says how many had none); `error` where nothing is listed and some
 * question had no answer. Nothing throws, but `createUriLists` on settings that
 * have a problem (uri-settings.ts), which is a bug. No timers: whoever makes the
 * lists calls `tick` at start and then every minute or so.
 *
 * Bounds: lists, questions to one list, look-ups at once, listings shown.
 */
import { strangerText } from '../auth/stranger-text.ts'
import { MAX_NAME_CHARACTERS } from '../dns/name.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { ZoneContext, ZoneState } from './dnsbl-health.ts'
import { ListZone, namesShown, type ListAnswer, type ListError } from './list-zone.ts'
import { atOnce } from './look-ups.ts'
import { inOrder, questionsOf, skipping, type UriQuestion, type UriSubject } from './uri-questions.ts'
import { MAX_URI_LISTS, MAX_URI_ZONE_CHARACTERS, testPointsOf, URI_LIST_DEFAULTS, URI_REFUSALS, URI_SKIPPED, uriListProblem, type UriListSettings, type UriListZone } from './uri-settings.ts'

export interface UriListing {
  /** what is listed: a name, an address, or what the hash was made of; printable and bounded */
  readonly item: string
  readonly codes: readonly string[]
  readonly labels: readonly string[]
  readonly weight: number
}

export type UriListAnswer =
  | {
      readonly status: 'listed'
      /** the weightiest first, at most 10 */
      readonly listings: readonly UriListing[]
      /** of all listings, each once */
      readonly labels: readonly string[]
      /** the largest; listings do not add up */
      readonly weight: number
      /** questions that had no answer */
      readonly failed: number
    }
  | { readonly status: 'not-listed' }
  | ListError
  /** the message holds nothing that the list is about */
  | { readonly status: 'not-asked'; readonly why: string }

export type UriListOutcome = {
  /** the list's name where it has one */
  readonly zone: string
  readonly kind: UriListZone['kind']
  /** questions that were asked, or would have been */
  readonly questions: number
  /** what would have been asked for, if there were no bounds */
  readonly unasked: number
  /** the most that a listing would weigh */
  readonly most: number
} & UriListAnswer

export type UriListHealth = { readonly zone: string; readonly kind: UriListZone['kind'] } & ZoneState

export interface UriLists {
  /**
   * One outcome a list, in the order of the settings.
   * @param resolver of the session; without it that of the context, by which lists are proved
   */
  check(subject: UriSubject, resolver?: Resolver): Promise<readonly UriListOutcome[]>
  /** Proves the lists for which it is time. Returns when their answers are there. */
  tick(): Promise<void>
  /** Proves all lists now, and says how they are: for `postern check --dns`. */
  prove(): Promise<readonly UriListHealth[]>
  health(): readonly UriListHealth[]
  /** A text about questions to them, as people may read it: with what stands for the zones. */
  shown(text: string): string
}

const MAX_LISTINGS = 10
const MAX_ITEM_CHARACTERS = 120

interface List {
  readonly settings: UriListZone
  readonly shown: string
  readonly zone: ListZone
}

/** One question to one list. */
interface Asked {
  readonly list: List
  readonly question: UriQuestion
}

export function createUriLists(settings: UriListSettings, context: ZoneContext): UriLists {
  if (settings.zones.length > MAX_URI_LISTS) throw new Error(`${settings.zones.length} lists of links were configured; at most ${MAX_URI_LISTS} are allowed`)
  const lists = settings.zones.map((one) => listOf(one, context))
  const { maxNames, maxHashes, maxAtOnce } = { ...URI_LIST_DEFAULTS, ...settings }
  const isSkipped = skipping(settings.skip ?? URI_SKIPPED)
  const health = (): readonly UriListHealth[] => lists.map(({ settings: { kind }, shown, zone }) => ({ zone: shown, kind, ...zone.health.state }))
  const proveThem = async (due: readonly List[]): Promise<void> => {
    await atOnce(due, maxAtOnce, (list) => list.zone.health.prove())
  }
  return {
    async check(subject, resolver = context.resolver) {
      const ordered = inOrder(subject, isSkipped)
      const plans = lists.map((list) => ({ list, ...questionsOf(list.settings, ordered, { most: list.settings.kind === 'hash' ? maxHashes : maxNames, room: MAX_NAME_CHARACTERS - 1 - list.zone.name.length }) }))
      // Of each list the first question, then of each the second: none has to wait for another.
      const asked = inRounds(plans.map(({ list, questions }) => questions.map((question): Asked => ({ list, question }))))
      const answers = await atOnce(asked, maxAtOnce, async (one) => ({ ...one, answer: await one.list.zone.ask(one.question.labels, resolver) }))
      return plans.map(({ list, questions, unasked }): UriListOutcome => {
        const own = answers.filter((one) => one.list === list).map(({ question: { item }, answer }) => ({ item, answer }))
        return { zone: list.shown, kind: list.settings.kind, questions: questions.length, unasked, most: list.zone.most, ...answerOf(own) }
      })
    },
    tick: () => proveThem(lists.filter(({ zone }) => zone.health.isDue)),
    async prove() {
      await proveThem(lists)
      return health()
    },
    health,
    shown: namesShown(lists.map(({ shown, zone: { name } }) => ({ name, shown }))),
  }
}

/**
 * What stands in the fact `uri_list`: the lists that list something, each by
 * itself and as `list/label`. Undefined where that could not be found out.
 */
export function uriListWords(outcomes: readonly UriListOutcome[]): readonly string[] | undefined {
  const words = outcomes.flatMap((one) => (one.status === 'listed' ? [one.zone, ...one.labels.map((label) => `${one.zone}/${label}`)] : []))
  return words.length === 0 && outcomes.some(({ status }) => status === 'error') ? undefined : words
}

function listOf(settings: UriListZone, context: ZoneContext): List {
  const problem = uriListProblem(settings)
  if (problem !== undefined) throw new Error(`list of links was not checked: ${problem}`)
  const { zone, name, weight, codes, refusals = URI_REFUSALS } = settings
  const shown = name ?? zone
  const optional = codes === undefined ? {} : { codes }
  return { settings, shown, zone: new ListZone({ zone, weight, refusals, shown, test: testPointsOf(settings), maxCharacters: MAX_URI_ZONE_CHARACTERS, ...optional }, context) }
}

function inRounds<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = lists.reduce((most, { length }) => Math.max(most, length), 0)
  return Array.from({ length: longest }, (_, round) => lists.flatMap((list) => list.slice(round, round + 1))).flat()
}

function answerOf(answers: readonly { readonly item: string; readonly answer: ListAnswer }[]): UriListAnswer {
  if (answers.length === 0) return { status: 'not-asked', why: 'the message holds nothing that the list is about' }
  const listings: UriListing[] = []
  const errors: ListError[] = []
  for (const { item, answer } of answers) {
    switch (answer.status) {
      case 'listed':
        listings.push({ item: strangerText(item, MAX_ITEM_CHARACTERS), codes: answer.codes, labels: answer.labels, weight: answer.weight })
        break
      case 'error':
        errors.push(answer)
        break
      case 'not-listed':
    }
  }
  listings.sort((a, b) => b.weight - a.weight)
  const [heaviest] = listings
  if (heaviest !== undefined) return { status: 'listed', listings: listings.slice(0, MAX_LISTINGS), labels: [...new Set(listings.flatMap(({ labels }) => labels))], weight: heaviest.weight, failed: errors.length }
  return errors[0] ?? { status: 'not-listed' }
}
