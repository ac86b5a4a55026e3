// A user name that anybody can type, made from a full name: jana.nova of Jana Nová.

/** Empty where nothing is left of it. */
export function loginName(fullName: string): string {
  return fullName
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll(/[łŁ]/g, 'l')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '.')
    .replace(/^[.]+|[.]+$/g, '')
    .slice(0, 64)
}
