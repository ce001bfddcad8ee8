# Mail::DKIM as a peer of dkim-peer.ts: what is said over its pipes is described there.
#
# DNS is a hash that the test fills, in the place of the resolver of Mail::DKIM::DNS.
# Exits at the end of its input.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM;
use Mail::DKIM::PrivateKey;
use Mail::DKIM::PublicKey;
use Mail::DKIM::Signature;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my $json = JSON::PP->new->ascii->canonical;
my ( %records, %keys );

{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ( $name, $type ) = @_;
        my $text = $records{ lc $name };
        return if !defined $text;
        # A string of a TXT record has at most 255 bytes.
        my $strings = join ' ', map { "\"$_\"" } unpack '(A255)*', $text;
        return Net::DNS::RR->new("$name. 60 IN TXT $strings");
    };
    *Mail::DKIM::DNS::query_async = sub {
        my ( $name, $type, %more ) = @_;
        return sub {
            my @found = Mail::DKIM::DNS::query( $name, $type );
            return $more{Callbacks}{Success}->(@found);
        };
    };
}

sub sign_with {
    my ( $asked, $message ) = @_;
    my $key = $keys{ $asked->{algorithm} };
    my ($data) = $asked->{algorithm} eq 'rsa-sha256' ? $key->{pkcs1} =~ /-----\n(.*)\n-----/s : $key->{seed};
    $data =~ s/\s//g;
    my $type = $asked->{algorithm} eq 'rsa-sha256' ? 'rsa' : 'ed25519';
    my $signer = Mail::DKIM::Signer->new(
        Policy => sub {
            my ($self) = @_;
            my $signature = Mail::DKIM::Signature->new(
                Algorithm => $asked->{algorithm},
                Method    => "$asked->{header}/$asked->{body}",
                Headers   => join( ':', @{ $asked->{names} } ),
                Domain    => $asked->{domain},
                Selector  => $asked->{selector},
                Timestamp => time,
                Key       => Mail::DKIM::PrivateKey->load( Data => $data, Type => $type ),
            );
            $signature->body_count( $asked->{limit} ) if defined $asked->{limit};
            $self->add_signature($signature);
            return;
        },
    );
    $signer->PRINT($message);
    $signer->CLOSE;
    return { field => $signer->signature->as_string . "\r\n" };
}

sub verify_all {
    my ($message) = @_;
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($message);
    $verifier->CLOSE;
    my @results = map { {
        selector => $_->selector // '',
        status   => ( $_->result // 'none' ) eq 'pass' ? 'pass' : 'fail',
        detail   => ( $_->result // 'none' ) eq 'pass' ? '' : $_->result_detail,
    } } grep { !$_->isa('Mail::DKIM::DkSignature') } $verifier->signatures;
    return { results => \@results };
}

sub guarded {
    my ($work) = @_;
    my $answer = eval { $work->() };
    return $answer if defined $answer;
    chomp( my $error = "$@" );
    return { refused => $error };
}

$| = 1;
binmode STDIN;
my $has_ed25519 = eval { require Mail::DKIM::Algorithm::ed25519_sha256; 1 };
print $json->encode( { version => $Mail::DKIM::VERSION, algorithms => [ 'rsa-sha256', $has_ed25519 ? 'ed25519-sha256' : () ] } ), "\n";
while ( defined( my $line = <STDIN> ) ) {
    my $asked   = $json->decode($line);
    my $message = '';
    read( STDIN, $message, $asked->{bytes} ) == $asked->{bytes} or die "a message is cut short\n";
    my $answer;
    if ( $asked->{op} eq 'keys' ) {
        %records = %{ $asked->{records} };
        %keys    = %{ $asked->{keys} };
        $answer  = {};
    }
    elsif ( $asked->{op} eq 'sign' ) { $answer = guarded( sub { sign_with( $asked, $message ) } ) }
    else                             { $answer = guarded( sub { verify_all($message) } ) }
    print $json->encode($answer), "\n";
}
