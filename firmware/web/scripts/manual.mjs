// Puts the help texts of the pages together to the manual: docs/MANUAL.md and docs/MANUAL.cs.md.
// With --check it only says whether they are up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const HELP = resolve(import.meta.dirname, '../src/help')
const DOCS = resolve(import.meta.dirname, '../../../docs')
const FILES = { en: 'MANUAL.md', cs: 'MANUAL.cs.md' }

const plan = JSON.parse(readFileSync(join(HELP, 'manual.json'), 'utf8'))
const check = process.argv.includes('--check')
const faults = []

for (const [language, { title, intro, chapters, pictures }] of Object.entries(plan)) {
  const named = Object.values(chapters).flat()
  const there = readdirSync(join(HELP, language)).map((name) => name.replace(/\.md$/, ''))
  for (const id of there) if (!named.includes(id)) faults.push(`src/help/manual.json has no place for ${language}/${id}`)
  for (const id of named) if (!there.includes(id)) faults.push(`src/help/${language}/${id}.md is missing`)
  const parts = Object.entries(chapters).map(([chapter, ids]) => {
    const texts = ids.filter((id) => there.includes(id)).map((id) => readFileSync(join(HELP, language, `${id}.md`), 'utf8').trim())
    // A page's heading stands below the chapter's.
    // `npm run pictures` makes it.
    const picture = pictures[chapter] && `![${pictures[chapter].text}](pictures/${pictures[chapter].name}.${language}.png)`
    return [`## ${chapter}`, ...(picture ? [picture] : []), ...texts.map((text) => text.replace(/^(#+) /gm, '##$1 '))].join('\n\n')
  })
  const manual = `${[`# ${title}`, intro, ...parts].join('\n\n')}\n`
  const file = join(DOCS, FILES[language])
  if (!check) writeFileSync(file, manual)
  else {
    let old = ''
    try {
      old = readFileSync(file, 'utf8')
    } catch {
      // It isn't there yet: that is stale too.
    }
    if (old !== manual) faults.push(`docs/${FILES[language]} is stale: run  npm run manual`)
  }
}

if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
