/** The logger a store writes to: pino's shape, so that the agent can hand in its own. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
