/**
 * A disk in memory that knows what a crash would leave: a file's bytes are
 * safe after fsync of the file, an entry after fsync of its directory. Every
 * call can be made to fail with an error code, or to be the last thing that
 * happens. Open descriptors are counted.
 */
import { constants } from 'node:fs'
import type { FileFacts, FileSystem } from '../../../src/delivery/file-system.ts'

interface Node {
  readonly kind: 'file' | 'directory'
  data: Buffer
  safeData: Buffer
  entries: Map<string, Node>
  safeEntries: Map<string, Node>
  modifiedMs: number
  mode: number
  uid: number
  gid: number
}

export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly at: number; readonly code: string }
  /** the call takes effect, and nothing comes after it */
  | { readonly kind: 'crash'; readonly at: number; readonly done: boolean }

export class SimulatedDisk implements FileSystem {
  fault: Fault = { kind: 'none' }
  /** calls so far, by name */
  calls: string[] = []
  nowMs = 1_700_000_000_000
  /** resolves when the crash comes */
  readonly crashed: Promise<'crashed'>
  /** makes fsync a lie, to see that somebody notices */
  forgetful = false
  #crash: () => void = () => undefined
  #root = directory()
  #open = new Map<number, Node>()
  /** descriptors that were open at once, at most */
  mostOpen = 0
  #next = 3

  constructor(directories: readonly string[] = ['/mail']) {
    this.crashed = new Promise((resolve) => (this.#crash = () => resolve('crashed')))
    for (const path of directories) {
      let node = this.#root
      for (const name of path.split('/').filter(Boolean)) {
        const next = node.entries.get(name) ?? directory()
        node.entries.set(name, next)
        node.safeEntries.set(name, next)
        node = next
      }
    }
  }

  get openFiles(): number {
    return this.#open.size
  }

  /** Every file as a program sees it now. */
  visible(): Map<string, string> {
    return collect(this.#root, { entries: (n) => n.entries, data: (n) => n.data })
  }

  /** Every file as it would be found after a loss of power now. */
  durable(): Map<string, string> {
    return collect(this.#root, { entries: (n) => n.safeEntries, data: (n) => n.safeData })
  }

  attributes(path: string): { readonly mode: number; readonly uid: number; readonly gid: number } {
    const { mode, uid, gid } = this.#find(path)
    return { mode, uid, gid }
  }

  put(path: string, data: string, modifiedMs = this.nowMs): void {
    const { parent, name } = this.#parent(path)
    const node = { ...directory(), kind: 'file' as const, data: Buffer.from(data), safeData: Buffer.from(data), modifiedMs }
    parent.entries.set(name, node)
    parent.safeEntries.set(name, node)
  }

  remove(path: string): void {
    const { parent, name } = this.#parent(path)
    parent.entries.delete(name)
    parent.safeEntries.delete(name)
  }

  open(path: string, flags: number, mode: number): Promise<number> {
    return this.#call('open', () => {
      const { parent, name } = this.#parent(path)
      let node = name === '' ? parent : parent.entries.get(name)
      if ((flags & constants.O_CREAT) !== 0) {
        if (node !== undefined) throw failure('EEXIST', path)
        node = { ...directory(), kind: 'file', mode }
        parent.entries.set(name, node)
      }
      if (node === undefined) throw failure('ENOENT', path)
      if ((flags & constants.O_DIRECTORY) !== 0 && node.kind !== 'directory') throw failure('ENOTDIR', path)
      this.#open.set(this.#next, node)
      this.mostOpen = Math.max(this.mostOpen, this.#open.size)
      return this.#next++
    })
  }

  write(file: number, pieces: readonly Buffer[]): Promise<void> {
    return this.#call('write', () => {
      const node = this.#file(file)
      node.data = Buffer.concat([node.data, ...pieces])
    })
  }

  chmod(file: number, mode: number): Promise<void> {
    return this.#call('chmod', () => void (this.#file(file).mode = mode))
  }

  chown(file: number, uid: number, gid: number): Promise<void> {
    return this.#call('chown', () => void Object.assign(this.#file(file), { uid, gid }))
  }

  sync(file: number): Promise<void> {
    return this.#call('sync', () => {
      const node = this.#file(file)
      if (this.forgetful) return
      node.safeData = node.data
      node.safeEntries = new Map(node.entries)
    })
  }

  close(file: number): Promise<void> {
    // A descriptor is gone whatever close(2) says.
    this.#file(file)
    this.#open.delete(file)
    return this.#call('close', () => undefined)
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => {
      const source = this.#parent(from)
      const node = source.parent.entries.get(source.name)
      if (node === undefined) throw failure('ENOENT', from)
      const target = this.#parent(to)
      source.parent.entries.delete(source.name)
      target.parent.entries.set(target.name, node)
    })
  }

  unlink(path: string): Promise<void> {
    return this.#call('unlink', () => {
      const { parent, name } = this.#parent(path)
      if (!parent.entries.delete(name)) throw failure('ENOENT', path)
    })
  }

  mkdir(path: string, mode: number): Promise<void> {
    return this.#call('mkdir', () => {
      const { parent, name } = this.#parent(path)
      if (parent.entries.has(name)) throw failure('EEXIST', path)
      parent.entries.set(name, { ...directory(), mode })
    })
  }

  stat(path: string): Promise<FileFacts> {
    return this.#call('stat', () => this.#facts(path))
  }

  lstat(path: string): Promise<FileFacts> {
    return this.#call('lstat', () => this.#facts(path))
  }

  list(path: string, most: number): Promise<readonly string[]> {
    return this.#call('list', () => [...this.#find(path).entries.keys()].slice(0, most))
  }

  read(path: string, maxBytes: number): Promise<Buffer> {
    return this.#call('read', () => {
      const { data } = this.#find(path)
      if (data.length > maxBytes) throw failure('EFBIG', path)
      return data
    })
  }

  #call<T>(name: string, action: () => T): Promise<T> {
    const number = this.calls.push(name) - 1
    const { fault } = this
    if (fault.kind === 'crash' && number >= fault.at) {
      if (number === fault.at && fault.done) quietly(action)
      this.#crash()
      return new Promise(() => undefined)
    }
    if (fault.kind === 'error' && number === fault.at) return Promise.reject(failure(fault.code, name))
    return new Promise((resolve) => resolve(action()))
  }

  #facts(path: string): FileFacts {
    const node = this.#find(path)
    return { kind: node.kind, size: node.data.length, modifiedMs: node.modifiedMs, changedMs: node.modifiedMs, inode: 1 }
  }

  #file(file: number): Node {
    const node = this.#open.get(file)
    if (node === undefined) throw failure('EBADF', String(file))
    return node
  }

  #find(path: string): Node {
    const { parent, name } = this.#parent(path)
    const node = name === '' ? parent : parent.entries.get(name)
    if (node === undefined) throw failure('ENOENT', path)
    return node
  }

  #parent(path: string): { parent: Node; name: string } {
    const through = /^\/proc\/self\/fd\/(\d+)(.*)$/.exec(path)
    let node = through === null ? this.#root : this.#file(Number(through[1]))
    const names = (through === null ? path : (through[2] ?? '')).split('/').filter(Boolean)
    const name = names.pop() ?? ''
    for (const step of names) {
      const next = node.entries.get(step)
      if (next === undefined) throw failure('ENOENT', path)
      if (next.kind !== 'directory') throw failure('ENOTDIR', path)
      node = next
    }
    return { parent: node, name }
  }
}

export function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: made up for the test, '${path}'`), { code, path })
}

function directory(): Node {
  return { kind: 'directory', data: Buffer.alloc(0), safeData: Buffer.alloc(0), entries: new Map(), safeEntries: new Map(), modifiedMs: 1_700_000_000_000, mode: 0, uid: -1, gid: -1 }
}

function quietly(action: () => unknown): void {
  try {
    action()
  } catch {
    // The call failed, and then the power went.
  }
}

function collect(root: Node, view: { entries: (node: Node) => Map<string, Node>; data: (node: Node) => Buffer }): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (node: Node, path: string): void => {
    if (node.kind === 'file') found.set(path, view.data(node).toString('latin1'))
    else for (const [name, child] of view.entries(node)) visit(child, `${path}/${name}`)
  }
  visit(root, '')
  return found
}
