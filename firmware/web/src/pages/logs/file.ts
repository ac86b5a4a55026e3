// A log as a file, oldest row first: plain text, or HTML with the colours of the page.
import { escapeHtml } from '../../kit/save'
import type { Colour } from './highlight'
import type { LogRow } from './useLog'

export type Format = 'txt' | 'html'

const PAINT: Record<Colour, string> = { yellow: 'khaki', red: 'lightpink', green: 'palegreen', blue: 'lightblue', grape: 'plum' }

/** Who did it stands apart from the row, and belongs to it on paper. */
function line({ row, author, host }: LogRow): string {
  return author ? `${row} (${[author, host].filter(Boolean).join(', ')})` : row
}

export function logFile(format: Format, title: string, rows: LogRow[], colour: (text: string) => Colour | undefined): Blob {
  if (format === 'txt') return new Blob(rows.map((row) => `${line(row)}\n`), { type: 'text/plain;charset=utf-8' })
  const lines = rows.map((row) => {
    const found = colour(row.text)
    return `<div${found ? ` style="background:${PAINT[found]}"` : ''}>${escapeHtml(line(row))}</div>\n`
  })
  const head =
    `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${escapeHtml(title)}</title>\n` +
    '<style>body{font:14px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}h1{font:600 20px sans-serif}</style>\n' +
    `<h1>${escapeHtml(title)}</h1>\n`
  return new Blob([head, ...lines, '</html>\n'], { type: 'text/html;charset=utf-8' })
}
