// Where in a text something is that was searched for, as the box finds it: without regard to the
// case of ASCII letters.

function folded(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

export function holds(text: string, search: string): boolean {
  return folded(text).includes(folded(search))
}

export function marked(text: string, search: string): { text: string; found: boolean }[] {
  if (search === '') return [{ text, found: false }]
  const [all, sought] = [folded(text), folded(search)]
  const parts: { text: string; found: boolean }[] = []
  let from = 0
  for (let at = all.indexOf(sought); at >= 0; at = all.indexOf(sought, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), found: false })
    from = at + sought.length
    parts.push({ text: text.slice(at, from), found: true })
  }
  if (from < text.length) parts.push({ text: text.slice(from), found: false })
  return parts
}
