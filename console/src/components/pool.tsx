/** The pool of a number. */
export function Pool({ country, operator }: { country: string; operator: string }) {
  return (
    <>
      <bdi>{country}</bdi>, <bdi>{operator}</bdi>
    </>
  );
}
