/** A client in order and its letter, for sessions in which clients are judged. */
import { reverseName, type ZoneData } from './zone-map.ts'

export const CLIENT = '192.0.2.7'
export const PTR = reverseName(CLIENT)
export const listed = (zone: string, address = CLIENT): string => reverseName(address).replace('in-addr.arpa', zone)

/** A client in order: name, SPF, MX. */
export const GOOD: ZoneData = {
  [PTR]: { PTR: ['mail.sender.example'] },
  'mail.sender.example': { A: [CLIENT] },
  'sender.example': { TXT: [`v=spf1 ip4:${CLIENT} -all`], MX: [[10, 'mail.sender.example']] },
}
export const LIST: ZoneData = { [listed('bl.example', '127.0.0.2')]: { A: ['127.0.0.2'] } }
export const LETTER = ['From: Anna <anna@sender.example>', 'Subject: Hello', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', '', 'text']
