/** How much a manifest may hold. Published in FIELDS.md. */
export const LIMITS = {
  /** Bytes of one manifest as received; configurable up to `hardManifestBytes`. */
  manifestBytes: 256 * 1024,
  hardManifestBytes: 1024 * 1024,
  /** Objects and lists inside each other. */
  nesting: 64,
  /** YAML aliases (`*name`) in one manifest. */
  aliases: 100,
  /** Words, marks, line breaks and runs of spaces of a YAML text: about 3,000 lines. */
  yamlTokens: 24_000,
  /** Errors, and warnings, reported for one manifest. */
  reported: 64,
  containers: 32,
  volumes: 64,
  /** Per container. */
  volumeMounts: 64,
  env: 512,
  ports: 128,
  /** Items of any other list. */
  items: 256,
  /** Words of `command` and of `args`. */
  words: 1024,
  /** Bytes of env, command and args of a container, `$(VAR)` expanded. */
  strings: 512 * 1024,
  /** Characters of an image reference. */
  image: 512,
  /** Bytes of a path (PATH_MAX, with its closing NUL). */
  path: 4095,
  /** Bytes of the values of a ConfigMap or Secret. */
  data: 1024 * 1024,
  /** Bytes of all annotations of one object. */
  annotations: 256 * 1024,
  /** Characters of namespace and name together: they name the log directory `<namespace>_<name>_<uid>`. */
  identity: 255 - 36 - 2,
  /** Seconds, and counts. */
  count: 2 ** 31 - 1,
  /** The largest user or group id: one more and 32-bit tools read it as negative, or as root (CVE-2024-40635). */
  id: 2 ** 31 - 1,
  /** Whole cores, and bytes, one container may ask for. */
  cpu: 100_000,
  memory: 2 ** 50,
} as const;
