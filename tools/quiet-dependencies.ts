import { definePlugin } from "hardhat/plugins";

/** Leaves out the compiler's warnings about packages, which nobody here can mend; those about own files and all errors stay. */
export const quietDependencies = definePlugin({
  id: "medseal-quiet-dependencies",
  hookHandlers: {
    solidity: () =>
      Promise.resolve({
        default: () =>
          Promise.resolve({
            getCompilationJobErrors: async (context, job, output, next) => {
              const found = await next(context, job, output);
              return found.filter(
                ({ severity, formattedMessage = "" }) =>
                  severity !== "warning" || !/^ *--> .*node_modules[\\/]/m.test(formattedMessage),
              );
            },
          }),
      }),
  },
});
