/**
 * The configuration of a newcomer without a file: no DNS, no root, nothing to
 * prepare. Relative paths are taken from the working directory.
 */
export const EMBEDDED_SOURCE = 'embedded default'

export const EMBEDDED_DEFAULT = `state: ./var/state
workers: 1
listeners:
  - name: inbound
    role: inbound
    listen: 127.0.0.1:2525
    next: local
hops:
  local:
    maildir: ./var/mail/{domain}/{local}
domains:
  - localhost
policy:
  preset: observe
`
