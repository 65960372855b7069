#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Prints the program's output into the documents: behind each line
#   <!-- printed by: estab demo SCENE -->
# the fenced block is replaced by the scene's ladder, as the command prints it now.
#   tools/print-docs.pl PATH/TO/estab docs/*.md           writes the files anew
#   tools/print-docs.pl --check PATH/TO/estab docs/*.md   says which differ, exit 1
use strict;
use warnings;

my $check = @ARGV && $ARGV[0] eq '--check' ? shift : '';
my $estab = shift;
die "usage: tools/print-docs.pl [--check] PATH/TO/estab FILE.md...\n" unless $estab && @ARGV;

# The scene's picture: from the line that names both ends to the program's closing words; of the
# flood, its closing table.
sub ladder {
  my ($scene) = @_;
  my $all = `LC_ALL=C.UTF-8 COLUMNS=80 '$estab' demo $scene`;
  die "estab demo $scene failed\n" if $?;
  my @lines;
  for (split /\n/, $all) {
    last if /^After each arrow/;
    push @lines, $_ if @lines || /^\s+\w+ [\d.]+:\d+\s+\w+ [\d.]+:\d+$/ || /^act  /;
  }
  pop @lines while @lines && $lines[-1] =~ /^\s*$/;
  return join("\n", @lines) . "\n";
}

# The text without what each run makes anew: process ids, and the counts of the flood's table.
sub lasting {
  $_[0] =~ s{\b\d+/estab0\b}{PID/estab0}gr
        =~ s{^((?:kernel|undefended|defended|crowd) .*)$}{$1 =~ s/[\d<]+/N/gr =~ s/ +/ /gr}gmer;
}

my $differ = 0;
for my $file (@ARGV) {
  open my $in, '<', $file or die "$file: $!\n";
  local $/;
  my $old = <$in>;
  (my $new = $old) =~ s{(<!-- printed by: estab demo (\S+) -->\n```\w*\n).*?(^```$)}
                       {$1 . ladder($2) . $3}gmse;
  next if lasting($new) eq lasting($old);
  $differ = 1;
  if ($check) {
    print "$file is not what the program prints; run tools/print-docs.pl\n";
    next;
  }
  open my $out, '>', $file or die "$file: $!\n";
  print $out $new;
  close $out or die "$file: $!\n";
}
exit($check ? $differ : 0);
