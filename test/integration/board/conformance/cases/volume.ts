/** A pod with one volume, and where it is mounted. */
export const v = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
export const at = (mountPath: string, more: object = {}) => ({ name: 'v', mountPath, ...more });
