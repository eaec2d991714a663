# fastcgi_pass: a split in front of FastCGI servers, over connections that are
# kept.

use strict;
use warnings;

use Canary::Gateway;

Canary::Gateway::check('fastcgi');
