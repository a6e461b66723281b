// Stands in, in the production bundle, for an optional dependency that is never called.
'use strict';
module.exports = {};
