// What goes to paper in place of the page: all rows, not only those in sight. It is made when the
// browser is about to print, be it by a button or by the browser's menu.
import { type ReactNode, useEffect, useState } from 'react'
import { createPortal, flushSync } from 'react-dom'
import type { Column } from './DataTable'
import classes from './Print.module.css'
import { compare } from './find'
import { PRODUCT } from './Page'

interface Props<R> {
  title: string
  note: string
  /** In any order: they are sorted by the first column. */
  rows: R[]
  id: (row: R) => string | number
  columns: Column<R>[]
}

function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false)
  useEffect(() => {
    // The browser doesn't wait: the sheet has to be there when this returns.
    const begin = () => flushSync(() => setPrinting(true))
    const end = () => setPrinting(false)
    window.addEventListener('beforeprint', begin)
    window.addEventListener('afterprint', end)
    return () => {
      window.removeEventListener('beforeprint', begin)
      window.removeEventListener('afterprint', end)
    }
  }, [])
  return printing
}

export function PrintSheet<R>(props: Props<R>): ReactNode {
  return usePrinting() ? createPortal(<Sheet {...props} />, document.body) : null
}

function Sheet<R>({ title, note, rows, id, columns }: Props<R>) {
  const order = compare()
  const by = columns[0]!.value
  const sorted = rows.toSorted((one, other) => order(by(one), by(other)))
  return (
    <div className={classes.sheet} data-print-sheet>
      <header>
        <h1>{title}</h1>
        <p>{`${PRODUCT} · ${location.hostname} · ${note}`}</p>
      </header>
      <table>
        <thead>
          <tr>
            {columns.map(({ id, title, width }) => (
              <th key={id} scope="col" style={{ width }}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={id(row)}>
              {columns.map(({ id, value, figures }) => (
                <td key={id} className={figures ? 'figures' : undefined}>
                  {value(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
