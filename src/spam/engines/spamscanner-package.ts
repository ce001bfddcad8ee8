/** Where the npm package spamscanner is, if it is installed; it is not loaded for that. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A string, or the compiler would look for it. */
export const PACKAGE: string = 'spamscanner'

export interface Spamscanner {
  /** a URL; what is imported as from there is that package */
  readonly from: string
  /** undefined: it is not installed */
  readonly version: string | undefined
}

/** @param folder whose node_modules has it; undefined: that of Postern */
export function findSpamscanner(folder: string | undefined): Spamscanner {
  const from = folder === undefined ? import.meta.url : pathToFileURL(join(folder, 'here.js')).href
  try {
    const manifest = findPackageJSON(PACKAGE, from)
    return { from, version: manifest === undefined ? undefined : versionIn(manifest) }
  } catch {
    // There is no folder of that name.
    return { from, version: undefined }
  }
}

function versionIn(manifest: string): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version?: unknown }
  return typeof version === 'string' ? version : ''
}

/** What to do where it is not. */
export function notInstalled(folder: string | undefined): string {
  return `the package spamscanner is not installed: npm install spamscanner in ${folder ?? 'the folder of Postern'}, or name the folder that has it`
}
