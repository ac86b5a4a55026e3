// A load as a curve: parts of 1, the newest at the right.
import classes from './health.module.css'

const WIDTH = 120
const HEIGHT = 24
/** How many it has room for. */
const MOST = 60

export function Curve({ label, values }: { label: string; values: number[] }) {
  const step = WIDTH / (MOST - 1)
  const points = values.map((value, index) => {
    const x = WIDTH - (values.length - 1 - index) * step
    return `${x.toFixed(1)},${(HEIGHT - 1 - Math.min(1, Math.max(0, value)) * (HEIGHT - 2)).toFixed(1)}`
  })
  return (
    <svg className={classes.curve} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
