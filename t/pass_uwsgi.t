# uwsgi_pass: a split in front of uwsgi servers.

use strict;
use warnings;

use Canary::Gateway;

Canary::Gateway::check('uwsgi');
