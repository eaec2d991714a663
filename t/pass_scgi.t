# scgi_pass: a split in front of SCGI servers.

use strict;
use warnings;

use Canary::Gateway;

Canary::Gateway::check('scgi');
