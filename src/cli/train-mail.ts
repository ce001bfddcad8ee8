/**
 * Where `postern train` gets mail from: it reads the files itself; or, where it
 * is root and is about to become somebody else, a process does that stays root
 * (train-reader.ts), since users' folders can be read by themselves and root
 * alone. That one sees no mail but as bytes that it passes on; this one, which
 * takes it apart and writes what it learns, has no rights to lose.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { extname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { framesOf, type Frame, type ListedFile } from './train-frames.ts'
import { MailFiles, type FileSearch } from './train-files.ts'

export interface Mail {
  /** of each path once, in their order; the files that are found are read in their order too */
  find(path: string): Promise<FileSearch>
  close(): Promise<void>
}

/** To be asked for before the rights are given up. `paths`: absolute, those that will be looked for. */
export function openMail(paths: readonly string[], { givesUpRoot }: { readonly givesUpRoot: boolean }): Mail {
  return givesUpRoot && paths.length > 0 ? new MailProcess(paths) : new MailFiles()
}

const FRAMES_ENDED = 'the process that reads mail as root came to its end'

class MailProcess implements Mail {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>
  private readonly frames: AsyncGenerator<Frame, undefined>

  constructor(paths: readonly string[]) {
    // Only what it needs to run, and a folder that everybody may be in. Control-C is for us, who say when it is enough.
    this.child = spawn(process.execPath, [join(import.meta.dirname, `train-reader${extname(import.meta.filename)}`)], { cwd: '/', env: {}, detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
    // Without it nothing comes, which is told where it is missed.
    this.child.on('error', () => this.child.stdout.destroy())
    this.child.stdin.on('error', () => undefined)
    this.child.stdin.write(`${JSON.stringify(paths)}\n`)
    this.frames = framesOf(this.child.stdout as AsyncIterable<Buffer>)
  }

  async find(): Promise<FileSearch> {
    const files: ListedFile[] = []
    for (;;) {
      const frame = await this.next()
      if (frame.kind === 'none') return { status: 'none', cause: frame.cause }
      if (frame.kind === 'found') return { status: 'found', files: files.map((file) => ({ ...file, read: () => this.read() })) }
      if (frame.kind !== 'files') throw new Error(`the process that reads mail sent ${frame.kind} in a list`)
      for (const file of frame.files) files.push(file)
    }
  }

  async close(): Promise<void> {
    // It ends when its input does; one that cannot write to us any more ends too.
    this.child.stdin.destroy()
    this.child.stdout.destroy()
    if (this.child.exitCode === null && this.child.signalCode === null) await new Promise<void>((ended) => void this.child.once('close', () => ended()))
  }

  private async* read(): AsyncGenerator<Buffer> {
    for (;;) {
      const frame = await this.next()
      if (frame.kind === 'end') return
      if (frame.kind === 'broken') throw new Error(frame.cause)
      if (frame.kind !== 'data') throw new Error(`the process that reads mail sent ${frame.kind} in a file`)
      yield frame.bytes
    }
  }

  private async next(): Promise<Frame> {
    const { value, done } = await this.frames.next()
    if (done === true) throw new Error(FRAMES_ENDED)
    return value
  }
}
