/**
 * The DNS of the policy tests: clients in order and not, block lists that work
 * and that do not, domains that protect themselves. `example` stands for the
 * whole internet; hop.example is ours.
 */
import { reverseName, type ZoneData } from './zone-map.ts'

export const CLIENT = {
  /** name, forward, SPF of sender.example */
  clean: '192.0.2.7',
  noPtr: '192.0.2.8',
  /** its name does not exist */
  noForward: '192.0.2.9',
  /** its name leads to another address */
  otherForward: '192.0.2.10',
  /** in order, but for being listed at bl.example */
  listed: '192.0.2.20',
  /** listed, and numbered by its provider */
  pooled: '192.0.2.21',
  /** in order for relay.example, and for nobody else */
  relay: '192.0.2.30',
  /** the mailing lists of lists.example */
  lists: '192.0.2.40',
  /** partner.example sends from here, without a PTR record */
  partner: '192.0.2.50',
  /** not listed, SPF passes for small.example; its name is numbered by its provider */
  small: '192.0.2.60',
  six: '2001:db8:7::25',
} as const

/** Where a block list has its entry for an address. */
export function listed(zone: string, address: string): string {
  return reverseName(address).replace(/(?:in-addr|ip6)\.arpa$/, zone)
}

const works = (zone: string): ZoneData => ({ [listed(zone, '127.0.0.2')]: { A: ['127.0.0.2'], TXT: ['test point'] } })

export const ZONE: ZoneData = {
  [reverseName(CLIENT.clean)]: { PTR: ['mail.sender.example'] },
  [reverseName(CLIENT.six)]: { PTR: ['mail.sender.example'] },
  'mail.sender.example': { A: [CLIENT.clean], AAAA: [CLIENT.six] },
  'sender.example': { TXT: [`v=spf1 ip4:${CLIENT.clean} ip6:${CLIENT.six} ip4:${CLIENT.listed} -all`], MX: [[10, 'mail.sender.example']] },

  [reverseName(CLIENT.noForward)]: { PTR: ['lost.sender.example'] },
  [reverseName(CLIENT.otherForward)]: { PTR: ['other.sender.example'] },
  'other.sender.example': { A: ['192.0.2.99'] },

  [reverseName(CLIENT.listed)]: { PTR: ['mail.listed.example'] },
  'mail.listed.example': { A: [CLIENT.listed] },
  [reverseName(CLIENT.pooled)]: { PTR: ['192-0-2-21.dynamic.provider.example'] },
  '192-0-2-21.dynamic.provider.example': { A: [CLIENT.pooled] },

  [reverseName(CLIENT.small)]: { PTR: ['192-0-2-60.dynamic.provider.example'] },
  '192-0-2-60.dynamic.provider.example': { A: [CLIENT.small] },
  'small.example': { TXT: [`v=spf1 ip4:${CLIENT.small} -all`], MX: [[10, '192-0-2-60.dynamic.provider.example']] },

  [reverseName(CLIENT.relay)]: { PTR: ['mail.relay.example'] },
  'mail.relay.example': { A: [CLIENT.relay] },
  'relay.example': { TXT: [`v=spf1 ip4:${CLIENT.relay} -all`], MX: [[10, 'mail.relay.example']] },

  [reverseName(CLIENT.lists)]: { PTR: ['mail.lists.example'] },
  'mail.lists.example': { A: [CLIENT.lists] },
  'lists.example': { TXT: [`v=spf1 ip4:${CLIENT.lists} -all`], MX: [[10, 'mail.lists.example']] },

  'partner.example': { TXT: [`v=spf1 ip4:${CLIENT.partner} -all`], MX: [[10, 'mail.partner.example']] },
  'mail.partner.example': { A: [CLIENT.partner] },

  'bank.example': { TXT: ['v=spf1 ip4:198.51.100.10 -all'], MX: [[10, 'mail.bank.example']] },
  'mail.bank.example': { A: ['198.51.100.10'] },
  '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] },
  'shop.example': { TXT: ['v=spf1 ip4:198.51.100.20 -all'], MX: [[10, 'mail.shop.example']] },
  'mail.shop.example': { A: ['198.51.100.20'] },
  '_dmarc.shop.example': { TXT: ['v=DMARC1; p=quarantine'] },

  ...works('bl.example'),
  [listed('bl.example', CLIENT.listed)]: { A: ['127.0.0.4'], TXT: ['see https://bl.example/'] },
  [listed('bl.example', CLIENT.pooled)]: { A: ['127.0.0.10'] },
  // It answers everybody that they may not ask.
  '*.blocked.example': { A: ['127.255.255.254'], TXT: ['open resolver'] },
  // It has closed down, and says so by listing everybody.
  '*.world.example': { A: ['127.0.0.2'] },
}

/** As the guides have it, with the lists' own names exchanged. */
export const LISTS = {
  lists: [{ zone: 'bl.example', weight: 3 }, { zone: 'blocked.example', weight: 3 }, { zone: 'world.example', weight: 3 }],
}
