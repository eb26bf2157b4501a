/** In front of a subnet that stands, in place of a name, for whichever network has it. */
export const SUBNET_PREFIX = "subnet ";
