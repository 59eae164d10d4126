// Solutions of N-queens as boards.
import { w } from '../settings';
import type { Json } from '../types';

// Where the queens of one stand: for each row its column. Nothing if it is no board.
function boardOf(told: Json | undefined): number[] | null {
  return Array.isArray(told) && told.every((each) => typeof each === 'number')
    ? (told as number[])
    : null;
}

export function Boards({ boards }: { boards: Json[] }) {
  return (
    <div class="boards">
      {boards.map((told, at) => {
        const board = boardOf(told);
        return (
          board && (
            <svg
              key={at}
              viewBox={`0 0 ${board.length} ${board.length}`}
              role="img"
              aria-label={`${w().solution}: ${board.join(' ')}`}
            >
              {board.map((_, row) =>
                board.map(
                  (__, column) =>
                    (row + column) % 2 > 0 && (
                      <rect key={`${row} ${column}`} x={column} y={row} width="1" height="1" />
                    ),
                ),
              )}
              {board.map((column, row) => (
                <circle key={row} cx={column + 0.5} cy={row + 0.5} r="0.32" />
              ))}
            </svg>
          )
        );
      })}
    </div>
  );
}

/** More are told as numbers alone. */
export const kShown = 24;
