/**
 * How much of one message is looked at. Everything here keeps the work linear in
 * the message and the memory small; what lies behind a bound is not looked at,
 * and the reading goes on. Constants only.
 */

/** Of HTML, of all parts together: twice the text that is kept, since half of most HTML is markup. */
export const MAX_HTML_CHARACTERS = 2_097_152
/** Hidden text is evidence, not reading matter: what pads a message to fool a classifier shows in much less. */
export const MAX_HIDDEN_CHARACTERS = 262_144
/** Elements that are open at once. Newsletters nest some sixty deep; browsers themselves stop at 512. */
export const MAX_OPEN_ELEMENTS = 256
/** Of all `<style>` elements together; the longest that bulk senders write are half of it. */
export const MAX_SHEET_CHARACTERS = 131_072
/** Rules with a selector that is understood and a property that matters. */
export const MAX_SHEET_RULES = 1000
/** Styles that are remembered as they are written, for one message: bulk mail has a few, many times over. */
export const MAX_STYLES_REMEMBERED = 500

/** A newsletter has 50 to 150; beyond this many, more links say nothing more. */
export const MAX_LINKS = 1000
/** Of one part, before anybody has read where they lead: most may lead nowhere. */
export const MAX_RAW_LINKS = 10_000
/** Mail clients and browsers take longer ones, but what matters stands at the front. */
export const MAX_URL_CHARACTERS = 2048
export const MAX_SHOWN_CHARACTERS = 200
/** Links inside links: a redirector behind a redirector, and no further. */
export const MAX_REDIRECT_DEPTH = 2
/** URLs that one link may hold in its query. */
export const MAX_INNER_URLS = 4
/** RFC 1035 §2.3.4: 255 octets, with dots; what is longer resolves nowhere. */
export const MAX_HOST_CHARACTERS = 255
/** Hosts that a process remembers between messages, with what the list of public suffixes says. */
export const MAX_HOSTS_REMEMBERED = 4096

/** Letters whose scripts are counted: a share does not need more. */
export const MAX_SCRIPT_CHARACTERS = 65_536
/** Words that are compared with the lists of function words. */
export const MAX_LANGUAGE_WORDS = 400

/** Entries of archives, of all attachments of a message together. */
export const MAX_ARCHIVE_ENTRIES = 200
/** Archives inside each other: a zip in a zip is common, in a third one it is a trick. */
export const MAX_ARCHIVE_DEPTH = 3
/** Bytes that are unpacked for one message, what is thrown away included. */
export const MAX_UNPACKED_BYTES = 1_048_576
/** Bytes of entries that are stored as they are, of all archives of a message: more than a message can hold, unless they lie over each other. */
export const MAX_STORED_BYTES = 4_194_304
/** Bytes of an entry that are unpacked to tell its type. */
export const MAX_HEAD_BYTES = 4096
/** Who unpacks to more than this many times its size and to more than BOMB_BYTES is a bomb; deflate cannot do more than 1032 times, documents do 10. */
export const BOMB_RATIO = 150
export const BOMB_BYTES = 10_485_760
export const MAX_NAME_CHARACTERS = 255
