// A field that offers what could be meant while somebody types.
import { useSignal } from '@preact/signals';

export interface Choice {
  text: string;
  hint?: string;
  take: () => void;
}

interface ComboProps {
  id: string;
  label: string;
  hint: string;
  value: string;
  choices: Choice[];
  onInput: (text: string) => void;
  onFocus?: () => void;
  onEnter: () => void; // Without a choice.
}

const kShown = 9;

export function Combo({ id, label, hint, value, choices, ...on }: ComboProps) {
  const isOpen = useSignal(false);
  const at = useSignal(-1);
  const shown = choices.slice(0, kShown);
  const isShown = isOpen.value && shown.length > 0;
  const take = (choice: Choice | undefined) => {
    at.value = -1;
    choice ? choice.take() : on.onEnter();
  };
  return (
    <div class="combo">
      <input
        id={id}
        type="search"
        role="combobox"
        aria-label={label}
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls={`${id}-choices`}
        aria-activedescendant={isShown && at.value >= 0 ? `${id}-${at.value}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={hint}
        value={value}
        onFocus={on.onFocus}
        onBlur={() => (isOpen.value = false)}
        onInput={(event) => {
          isOpen.value = true;
          at.value = -1;
          on.onInput(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            isOpen.value = true;
            const step = event.key === 'ArrowDown' ? 1 : -1;
            at.value = Math.max(-1, Math.min(shown.length - 1, at.value + step));
          } else if (event.key === 'Enter') take(isShown ? shown[at.value] : undefined);
          else if (event.key === 'Tab' && isShown && at.value >= 0) take(shown[at.value]);
          else if (event.key === 'Escape' && isShown) isOpen.value = false;
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <ul id={`${id}-choices`} role="listbox" aria-label={label} hidden={!isShown}>
        {isShown &&
          shown.map((choice, index) => (
            <li
              key={choice.text}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at.value}
              onMouseDown={(event) => {
                event.preventDefault(); // The field keeps the focus.
                take(choice);
              }}
            >
              <span class="cut">{choice.text}</span> <span class="soft">{choice.hint}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}
