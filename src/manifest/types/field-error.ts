/** One reason a manifest is refused, or a field not honoured. `path` is a JSON path like `spec.containers[0].image`. */
export interface FieldError {
  path: string;
  reason: string;
}
