# fastcgi_pass: a split in front of FastCGI servers, over kept connections.
# kept.

use strict;
use warnings;

use Canary::Gateway;

Canary::Gateway::check('fastcgi');
