# SpamAssassin as a peer of spamassassin-hits.ts: which of its rules hit messages.
#
# Arguments: the folder of its own rules, the folder of the site's. Each line of
# standard input is a message in base64; each line of standard output is an object
# with `hits` (names of rules, parts of others among them, with how often) and
# `relay` (the first external relay, as rules see it). Nothing goes to the network.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Mail::SpamAssassin;

my ( $rules, $site, $state ) = @ARGV;
my $checker = Mail::SpamAssassin->new( {
    rules_filename => $rules, site_rules_filename => $site, userprefs_filename => '/dev/null', userstate_dir => $state,
    local_tests_only => 1, dont_copy_prefs => 1, debug => 0,
} );
$checker->compile_now( 0, 1 );
my $json = JSON::PP->new->ascii->canonical;
$| = 1;

while ( my $line = <STDIN> ) {
    my $mail   = $checker->parse( decode_base64($line), 0 );
    my $status = $checker->check($mail);
    my %hits;
    $hits{$_} = 1 for grep { length && $_ ne 'none' } split /,/, $status->get_names_of_tests_hit();
    for my $name ( split /,/, $status->get_names_of_subtests_hit() ) {
        my $count = $name =~ s/\((\d+)\)$// ? $1 : 1;
        $hits{$name} = ( $hits{$name} // 0 ) > $count ? $hits{$name} : $count;
    }
    print $json->encode( { hits => \%hits, relay => scalar( $status->get('X-Spam-Relays-External') ) // '' } ), "\n";
    $status->finish;
    $mail->finish;
}
