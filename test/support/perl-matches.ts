/**
 * What perl itself matches: patterns and texts go in as JSON, the number of
 * matches and the first of them come out. Where there is no perl, undefined.
 */
import { spawnSync } from 'node:child_process'

export interface PerlCase {
  readonly source: string
  /** of imsx, and a, u or d */
  readonly flags: string
  readonly texts: readonly string[]
}

/** undefined: perl does not take the pattern. Otherwise for each text how often it matches, and what it matches first. */
export type PerlResult = readonly (readonly [count: number, first: string])[] | undefined

const SCRIPT = `
use strict;
use JSON::PP;
my $json = JSON::PP->new->utf8;
local $/;
my $cases = $json->decode(<STDIN>);
for my $case (@$cases) {
  my ($source, $flags) = ($case->{source}, $case->{flags});
  my $bytes = $flags =~ /d/;
  if ($bytes) { utf8::downgrade($source) } else { utf8::upgrade($source) }
  my $pattern = eval { no warnings; qr/(?$flags:$source)/ };
  if (!defined $pattern) { print "null\\n"; next }
  my @results;
  for my $text (@{$case->{texts}}) {
    if ($bytes) { utf8::downgrade($text) } else { utf8::upgrade($text) }
    my ($count, $first) = (0, '');
    pos($text) = undef;
    while ($text =~ /$pattern/g) {
      $first = substr($text, $-[0], $+[0] - $-[0]) if !$count;
      $count++;
    }
    push @results, [$count, $first];
  }
  print $json->encode(\\@results), "\\n";
}
`

export function matchedByPerl(cases: readonly PerlCase[]): readonly PerlResult[] | undefined {
  const child = spawnSync('perl', ['-e', SCRIPT], { input: JSON.stringify(cases), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, timeout: 120_000 })
  if (child.error !== undefined && 'code' in child.error && child.error.code === 'ENOENT') return undefined
  if (child.status !== 0) throw new Error(`perl ended with ${child.status ?? child.signal ?? '?'}: ${child.stderr}`)
  return child.stdout.split('\n').slice(0, -1).map((line) => (JSON.parse(line) as PerlResult | null) ?? undefined)
}
