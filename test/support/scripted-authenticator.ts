/**
 * Who checks passwords in dialogs: the account `anna@client.example` has the
 * password `secret`; the passwords `later` and `enough` are put off by 454 and
 * 421, every other is wrong. Made of an option like `required PLAIN! LOGIN`, in
 * which `!` marks a mechanism that is offered under TLS only.
 */
import type { SaslExchange, SaslStep } from '../../src/smtp/authentication.ts'
import type { Authenticator } from '../../src/submission/facts.ts'

export function scriptedAuthenticator(option: string | undefined): Authenticator | undefined {
  if (option === undefined) return undefined
  const known = option.replace(/^required /, '').split(' ')
  const offered = (secure: boolean): string[] => known.filter((one) => secure || !one.endsWith('!')).map((one) => one.replace('!', ''))
  return {
    mechanisms: (tls) => offered(tls !== undefined),
    begin: (mechanism, { tls }) => (offered(tls !== undefined).includes(mechanism) ? exchange(mechanism) : undefined),
  }
}

/** PLAIN (RFC 4616), LOGIN, and ENDLESS, which asks again and again. */
function exchange(mechanism: string): SaslExchange {
  const heard: string[] = []
  const step = (response: Buffer | null): SaslStep => {
    if (mechanism === 'ENDLESS') return challenge('again')
    if (response !== null) heard.push(...(mechanism === 'PLAIN' ? response.toString('latin1').split('\0').slice(1) : [response.toString('latin1')]))
    const [user, password] = heard
    if (user !== undefined && password !== undefined) return outcome(user, password, mechanism)
    return challenge(mechanism === 'PLAIN' ? '' : user === undefined ? 'Username:' : 'Password:')
  }
  return { step: (response) => Promise.resolve(step(response)), abort: () => undefined }
}

function challenge(text: string): SaslStep {
  return { status: 'challenge', data: Buffer.from(text, 'latin1') }
}

function outcome(user: string, password: string, mechanism: string): SaslStep {
  if (password === 'later') return { status: 'refused', reply: { status: 454, subject: 7, detail: 0, text: 'Try again later' } }
  if (password === 'enough') return { status: 'refused', reply: { status: 421, subject: 7, detail: 0, text: 'Too many guesses' } }
  if (user !== 'anna@client.example' || password !== 'secret') return { status: 'refused', reply: { status: 535, subject: 7, detail: 8, text: 'Wrong user or password' } }
  return { status: 'authenticated', authentication: { login: user, mechanism } }
}
