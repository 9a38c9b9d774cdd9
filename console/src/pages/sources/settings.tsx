import type { Schemas } from "../../api";
import { CheckField, SelectField, TextAreaField, TextField } from "../../components/form";
import type { Provider } from "./provider";

type Setting = Schemas["SettingView"];

/** What is entered for a source's settings, by their names. */
export type Settings = Readonly<Record<string, string | boolean>>;

// Their values have several lines.
const LONG: ReadonlySet<string> = new Set(["certificate"]);

interface SettingFieldsProps {
  readonly provider: Provider;
  readonly settings: Settings;
  readonly onChange: (settings: Settings) => void;
}

/** The fields of the settings that sources of a type have. */
export function SettingFields({ provider, settings, onChange }: SettingFieldsProps) {
  return (
    <>
      {provider.settings.map((setting) => (
        <SettingField
          key={`${provider.name} ${setting.name}`}
          setting={setting}
          value={settings[setting.name]}
          onChange={(value) => onChange({ ...settings, [setting.name]: value })}
        />
      ))}
    </>
  );
}

/** Return what of the settings is to be stored: those of the type that say something. */
export function filled(provider: Provider | undefined, settings: Settings): Record<string, string | boolean> {
  const entered = (provider?.settings ?? []).flatMap(({ name }) => {
    const given = settings[name];
    const value = typeof given === "string" ? given.trim() : given;
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entered);
}

/** A setting's name as people read it: "Country code". */
export function settingTitle(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Whether a setting's value has several lines. */
export function isLong(name: string): boolean {
  return LONG.has(name);
}

interface SettingFieldProps {
  readonly setting: Setting;
  readonly value: string | boolean | undefined;
  readonly onChange: (value: string | boolean) => void;
}

function SettingField({ setting, value, onChange }: SettingFieldProps) {
  const { name, type, required, description, choices } = setting;
  const field = { name: `settings.${name}`, label: settingTitle(name), hint: `Expected: ${description}.` };
  if (type === "flag") return <CheckField {...field} checked={value === true} onChange={onChange} />;
  const text = { ...field, value: typeof value === "string" ? value : "", onChange };
  if (choices.length > 0) {
    const options = choices.map((choice) => [choice, choice] as const);
    return <SelectField {...text} options={[["", required ? "Choose one" : "Not said"], ...options]} />;
  }
  return isLong(name) ? <TextAreaField {...text} required={required} /> : <TextField {...text} required={required} />;
}
