/**
 * A certificate for mx.example.org, signed by itself, valid from 2020 to 2120,
 * and its key. For tests only; it protects nothing.
 */
export const CERTIFICATE_NAME = 'mx.example.org'

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBbzCCARagAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5teC5leGFt
cGxlLm9yZzAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGTEXMBUG
A1UEAwwObXguZXhhbXBsZS5vcmcwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARP
RT/+bVVE1dxy3hAkQxeSaiL3+JQYLZcfgW2tfmKzMXzO61In6lsfNCcTR4F2FdV2
yBXMdiESbwu+ai7RZdkyo00wSzAPBgNVHRMBAf8EBTADAQH/MBkGA1UdEQQSMBCC
Dm14LmV4YW1wbGUub3JnMB0GA1UdDgQWBBQbjN+rJdc3oW4rsklRDbu9eWrmaDAK
BggqhkjOPQQDAgNHADBEAiAzUmVLL9mBtLW+8tSvL9YSYD7QhBOsglKmtij7Nd+X
NwIgTDG+5WJ/wxmwUhf6PaHqk5/aPTUoixj/cHoKYr02gNc=
-----END CERTIFICATE-----
`

export const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYVvc7JNcOtza+qRe
OUoEA107wwzkrq/n6kHW7/vVweqhRANCAARPRT/+bVVE1dxy3hAkQxeSaiL3+JQY
LZcfgW2tfmKzMXzO61In6lsfNCcTR4F2FdV2yBXMdiESbwu+ai7RZdky
-----END PRIVATE KEY-----
`
