/** The method under which rules name watching an object. No method is called so. */
export const WATCH = "#watch";
