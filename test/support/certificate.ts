/**
 * A certificate for mx.example.org, signed by itself, valid from November 2026
 * for a hundred years, and its key. For tests only; it protects nothing.
 */
export const CERTIFICATE_NAME = 'mx.example.org'

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBpDCCAUqgAwIBAgIUEavJ09Hd9KKqcnrkLaALTrVzpbwwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwObXguZXhhbXBsZS5vcmcwIBcNMjYxMTIxMDQwNjAxWhgPMjEy
NjEwMjgwNDA2MDFaMBkxFzAVBgNVBAMMDm14LmV4YW1wbGUub3JnMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAET0U//m1VRNXcct4QJEMXkmoi9/iUGC2XH4FtrX5i
szF8zutSJ+pbHzQnE0eBdhXVdsgVzHYhEm8Lvmou0WXZMqNuMGwwHQYDVR0OBBYE
FBuM36sl1zehbiuySVENu715auZoMB8GA1UdIwQYMBaAFBuM36sl1zehbiuySVEN
u715auZoMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIObXguZXhhbXBsZS5v
cmcwCgYIKoZIzj0EAwIDSAAwRQIhAIS+p8DoEFGbymkaTxvFVycKHVJQVFikO4vr
lbHKkMyqAiBedCDDB63QoEglF/vNEzjn6AJsxQ5MlulzJW29gpFZew==
-----END CERTIFICATE-----
`

export const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYVvc7JNcOtza+qRe
OUoEA107wwzkrq/n6kHW7/vVweqhRANCAARPRT/+bVVE1dxy3hAkQxeSaiL3+JQY
LZcfgW2tfmKzMXzO61In6lsfNCcTR4F2FdV2yBXMdiESbwu+ai7RZdky
-----END PRIVATE KEY-----
`
